/** NHN's times: some end in `Z`, some have no zone and microseconds, often side by side; all are UTC. */

/** Epoch ms; NaN when it is no time. */
export const utcMs = (text: string): number => Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
