// Which tracks of the others are still to be asked for.

/** Those that the participants say they send and that are not received yet; `key` names a track for good. */
export function wantedTracks(participants, received) {
  return participants
    .flatMap((one) =>
      (one.track_names ?? []).map((name) => ({
        participant_id: one.participant_id,
        participant_attempt: `${one.participant_id}/${one.attempt}`,
        name,
        key: `${one.participant_id}/${one.attempt}/${name}`,
      })),
    )
    .filter((track) => !received.has(track.key));
}
