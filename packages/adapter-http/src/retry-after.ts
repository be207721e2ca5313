const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";
const MONTH = `(?<month>${MONTHS.join("|")})`;

// RFC 9110 §5.6.7: one form to send, two obsolete ones that a recipient must still read.
const IMF_FIXDATE = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d{2}) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`,
);
const RFC_850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d{2})-${MONTH}-(?<shortYear>\\d{2}) ${TIME} GMT$`,
);
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`);

/**
 * Milliseconds to wait that a `Retry-After` header asks for, in either form of RFC 9110 §10.2.3; undefined when there is
 * none or it is malformed. A date is measured from the response's own `Date`, else from `nowMs()`; a past one is 0.
 */
export function retryAfterMs(headers: Headers, nowMs: () => number): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, Number.MAX_SAFE_INTEGER);
  // The server's clock may differ from ours: its own date is the better origin.
  const origin = parseHttpDate(headers.get("date") ?? "", nowMs) ?? nowMs();
  const date = parseHttpDate(value, () => origin);
  return date === undefined ? undefined : Math.max(0, date - origin);
}

function parseHttpDate(text: string, nowMs: () => number): number | undefined {
  const parts = (IMF_FIXDATE.exec(text) ?? RFC_850.exec(text) ?? ASCTIME.exec(text))?.groups;
  if (parts === undefined) return undefined;
  const number = (name: string) => Number(parts[name]);
  const year = parts["shortYear"] === undefined ? number("year") : fullYear(number("shortYear"), nowMs());
  const month = MONTHS.indexOf(parts["month"]!);
  // 60 is a leap second (RFC 9110 §5.6.7), which `Date` would carry over into another day.
  const second = Math.min(number("second"), 59);
  const date = new Date(Date.UTC(year, month, number("day"), number("hour"), number("minute"), second));
  // `Date.UTC` reads 0–99 as 19xx and carries 31 February over into March.
  date.setUTCFullYear(year, month, number("day"));
  return date.getUTCDate() === number("day") ? date.getTime() : undefined;
}

// RFC 9110 §5.6.7: a two-digit year that seems more than 50 years ahead is the latest past year with those digits.
function fullYear(shortYear: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + shortYear;
  return year > thisYear + 50 ? year - 100 : year;
}
