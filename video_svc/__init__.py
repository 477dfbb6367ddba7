"""The video service: sessions, participants and how to connect them; it never decides who is booked."""
