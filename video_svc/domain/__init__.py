"""The pure rules: standard library and kernel only, `now` is an argument."""
