const PATHS = {
  cut: "M6 6l12 12M6 18L18 6M6 6a2.2 2.2 0 1 1-3 0 2.2 2.2 0 0 1 3 0zm0 12a2.2 2.2 0 1 0-3 0 2.2 2.2 0 0 0 3 0z",
  slow: "M12 3a9 9 0 1 0 9 9M12 7v5l3.5 2M17 3.6a9 9 0 0 1 3.4 3.4",
  wait: "M7 3h10M7 21h10M8 3c0 5 8 5 8 9s-8 4-8 9M16 3c0 5-8 5-8 9s8 4 8 9",
  crash: "M13 2L5 13.5h6L10 22l9-12.5h-6.5z",
  play: "M7 4l13 8-13 8z",
  pause: "M8 4v16M16 4v16",
  forward: "M5 5l10 7-10 7zM19 5v14",
  back: "M19 5L9 12l10 7zM5 5v14",
} as const;

export type IconName = keyof typeof PATHS;

/** A drawn sign: fonts differ in which they have. */
export function Icon({ name }: { name: IconName }) {
  const isSolid = name === "play" || name === "forward" || name === "back" || name === "crash";
  return (
    <svg class="icon" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill={isSolid ? "currentColor" : "none"}
        stroke="currentColor"
        stroke-width={name === "pause" ? 4 : 2}
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
