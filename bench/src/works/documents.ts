/** What a document holds that nobody may read. */
export const SECRETS = [
  "Xk7pQ2vL9sTdWb4n",
  "s3cr3t-Hunter2-quince",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhLTE3In0.c2lnbmF0dXJlMTIz",
];

const NAMES = ["Amaya", "Bo", "Chidi", "Devi", "Emil", "Farah", "Goran", "Hina"];
const STATES = ["queued", "picked", "packed", "shipped", "delivered", "returned"];

/**
 * A record of about 2 KB as it is logged of a request, with secrets in its members, its headers and its texts. No two
 * are alike, so that remembering one is of no use for the next.
 */
export function aRecord(number: number): Record<string, unknown> {
  // As it comes from a body: with texts that are not put together from pieces.
  return JSON.parse(JSON.stringify(build(number)));
}

function build(number: number): Record<string, unknown> {
  const name = NAMES[number % NAMES.length]!;
  const items = Array.from({ length: 6 }, (_, item) => ({
    sku: `sku-${number * 7 + item}`,
    title: `Article ${(number * 31 + item * 17) % 9973} in ${item % 2 === 0 ? "blue" : "green"}`,
    quantity: 1 + ((number + item) % 4),
    price_cents: 100 + ((number * 37 + item * 11) % 9000),
    state: STATES[(number + item) % STATES.length]!,
    dimensions: { width: 10 + item, height: 20 + (number % 30), weight_g: 250 * (item + 1) },
  }));
  return {
    request: {
      id: `req-${number.toString(36)}-${(number * 2654435761) % 1_000_000}`,
      method: "POST",
      path: `/v1/orders/${number}/refunds?limit=50&sort=created_at`,
      duration_ms: (number % 900) / 10,
      headers: {
        host: "orders.example.com",
        accept: "application/json",
        authorization: `Bearer ${SECRETS[2]}`,
        "x-request-id": `r-${number * 13}`,
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
      },
    },
    customer: {
      name: `${name} ${NAMES[(number * 3) % NAMES.length]}`,
      email: `${name.toLowerCase()}.${number}@example.com`,
      password: SECRETS[1],
      address: { street: `${number % 200} Mill Lane`, city: "Leeds", zip: `LS${number % 28} 4AB`, country: "GB" },
      since: 1_600_000_000_000 + number * 1000,
      newsletter: number % 2 === 0,
    },
    items,
    notes: [
      `order ${number} was checked by ${name} and released at step ${number % 12}`,
      `upstream answered 503 after ${number % 700} ms, retried with api_key=${SECRETS[0]} and succeeded`,
      null,
    ],
    routing: {
      warehouse: `wh-${number % 17}`,
      carrier: ["north-freight", "parcel-line", "two-wheels"][number % 3]!,
      legs: [
        {
          from: "Leeds",
          to: "Hamburg",
          eta: `2026-11-${10 + (number % 19)}T08:15:00Z`,
          distance_km: 940 + (number % 40),
        },
        {
          from: "Hamburg",
          to: "Lyon",
          eta: `2026-12-${10 + (number % 19)}T17:45:00Z`,
          distance_km: 1180 + (number % 40),
        },
        {
          from: "Lyon",
          to: "Porto",
          eta: `2027-01-${10 + (number % 19)}T12:30:00Z`,
          distance_km: 1490 + (number % 40),
        },
      ],
    },
    totals: { net_cents: number * 97, tax_cents: number * 18, currency: "EUR" },
  };
}
