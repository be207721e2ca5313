/** No lease, record or window is longer: a hundred years. Much beyond, PostgreSQL cannot count, and nobody will ask. */
export const LONGEST_MS = 3.2e12;
