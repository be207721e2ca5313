import type { ComponentChildren } from "preact";

/** Text that scrolls, and that the keyboard reaches to do so. */
export function Scrollable(props: { label: string; class: string; testId?: string; children: ComponentChildren }) {
  return (
    <section class={props.class} tabIndex={0} aria-label={props.label}>
      <pre data-testid={props.testId}>{props.children}</pre>
    </section>
  );
}
