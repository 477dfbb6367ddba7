"""Everything that the service can do, put together from what it needs from outside."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.signals import Signal, SignalBoard
from video_svc.app.admit import Admit
from video_svc.app.answer_offer import AnswerOffer
from video_svc.app.check_in import CheckIn
from video_svc.app.connecting import Connecting
from video_svc.app.create_stream_ticket import CreateStreamTicket
from video_svc.app.deciding import Deciding
from video_svc.app.end_session import EndSession
from video_svc.app.get_session import GetSession
from video_svc.app.get_session_stats import GetSessionStats
from video_svc.app.heartbeat import Heartbeat
from video_svc.app.leave_session import LeaveSession
from video_svc.app.list_sessions import ListSessions
from video_svc.app.media_access import MediaAccess
from video_svc.app.ports import JoinTokens, Sessions, Signals, Tickets
from video_svc.app.publish_tracks import PublishTracks
from video_svc.app.quality_ports import Qualities
from video_svc.app.refresh_ice import RefreshIce
from video_svc.app.reject import Reject
from video_svc.app.remove import Remove
from video_svc.app.report_quality import ReportQuality
from video_svc.app.send_signal import SendSignal
from video_svc.app.start_session import StartSession
from video_svc.app.subscribe_tracks import SubscribeTracks
from video_svc.app.watch_session import WatchSession
from video_svc.domain.session import JoinRules


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the use cases need. `copied` fires with the feed, `board` under the id of a session with news.

    `visit_page` is the address below which each session has its page.
    """

    sessions: Sessions
    signals: Signals
    tickets: Tickets
    qualities: Qualities
    connecting: Connecting
    tokens: JoinTokens
    copied: Signal
    board: SignalBoard
    rules: JoinRules
    visit_page: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class UseCases:
    """One field an RPC."""

    start_session: StartSession
    check_in: CheckIn
    admit: Admit
    reject: Reject
    remove: Remove
    send_signal: SendSignal
    watch_session: WatchSession
    create_stream_ticket: CreateStreamTicket
    publish_tracks: PublishTracks
    subscribe_tracks: SubscribeTracks
    answer_offer: AnswerOffer
    refresh_ice: RefreshIce
    heartbeat: Heartbeat
    report_quality: ReportQuality
    get_session_stats: GetSessionStats
    leave_session: LeaveSession
    end_session: EndSession
    get_session: GetSession
    list_sessions: ListSessions


def use_cases(here: Surroundings) -> UseCases:
    """The use cases in these surroundings."""
    sessions, rules, clock = here.sessions, here.rules, here.clock
    deciding, connecting = Deciding(sessions, rules, clock), here.connecting
    access = MediaAccess(sessions, connecting.media, connecting.negotiating, rules, clock)
    return UseCases(
        start_session=StartSession(sessions, here.connecting, here.tokens, rules, here.visit_page, here.copied, clock),
        check_in=CheckIn(sessions, rules, clock),
        admit=Admit(deciding),
        reject=Reject(deciding),
        remove=Remove(deciding),
        send_signal=SendSignal(sessions, here.signals, rules, clock),
        watch_session=WatchSession(sessions, here.signals, here.board),
        create_stream_ticket=CreateStreamTicket(sessions, here.tickets, clock),
        publish_tracks=PublishTracks(access),
        subscribe_tracks=SubscribeTracks(access),
        answer_offer=AnswerOffer(access),
        refresh_ice=RefreshIce(sessions, here.connecting, rules, clock),
        heartbeat=Heartbeat(sessions, rules, clock),
        report_quality=ReportQuality(sessions, here.qualities),
        get_session_stats=GetSessionStats(sessions, here.qualities),
        leave_session=LeaveSession(sessions, clock),
        end_session=EndSession(sessions, clock),
        get_session=GetSession(sessions),
        list_sessions=ListSessions(sessions),
    )
