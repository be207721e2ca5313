/** Fits 80 columns. */
export const HELP = `Looks at what EOC has left behind: journals, reports, policies.

  eoc verify FILE...     whether a journal can be trusted: one verdict each for
                         integrity, continuity, pairing, signatures,
                         conformance and completeness
      --head SEQ:HASH      where it ends, from a place that whoever could write
                           the journal could not write
      --checkpoints FILE   records that are known to be in it
      --public-key FILE    an Ed25519 key (PEM) that must have signed every
                           checkpoint; may be given more than once
      --policy FILE        the policy that every execution should have kept
      --json               the verdict as JSON
  eoc intents FILE...    what was in flight when the journal stopped: dispatches
                         that may or may not have been applied
      --json               as JSON
  eoc timeline FILE...   what happened, drawn from a journal or a report
      --format FORMAT      text, ansi, mermaid or svg (default: ansi on a
                           terminal, else text)
      --execution ID       that one execution only
  eoc explain FILE       a report, or one report a line, in plain sentences
  eoc policy check FILE  the worst that a policy allows
      --decision FILE      for the plan of this decision
      --json               as JSON

FILE is a path, or - for standard input. A journal that was rotated is read
through all its files; several files are read as one journal, in their order.
Colours are for terminals only, and not where NO_COLOR is set.

Exit codes: 0 ok; 1 failed: a verdict is FAIL, a report failed, a policy or
decision is invalid; 2 wrong usage, or a file that is not what it should be;
3 the report was denied or halted; 4 unknown: the report's outcome, what open
intents came to, or whatever a verdict could not prove.
`;
