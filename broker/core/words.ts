/** The words that reasons are written in. */

/** `1 node`, `64 nodes`. */
export const nodesText = (nodes: number): string => (nodes === 1 ? '1 node' : `${nodes} nodes`)

export const areText = (nodes: number): string => (nodes === 1 ? 'is' : 'are')
