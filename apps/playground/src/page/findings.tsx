import type { Finding } from "../engine/evidence.js";

const MARKS: Readonly<Record<string, string>> = { PASS: "✓", FAIL: "✗", OPEN: "!", "NOT PROVEN": "?" };

/** The verifier's verdicts, one a row. */
export function Findings({ findings, label }: { findings: readonly Finding[]; label: string }) {
  return (
    <table class="findings" aria-label={label}>
      <tbody>
        {findings.map(({ name, verdict, problem }) => (
          <tr key={name} class={verdict.toLowerCase().replace(" ", "-")}>
            <th scope="row">{name}</th>
            <td class="finding">
              <span aria-hidden="true">{MARKS[verdict]}</span> {verdict}
            </td>
            <td class="problem">{problem}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
