/** Many small waits beside each other, without one holding up the rest. */

/** Maps in order, at most `limit` at once; a slow one occupies one place, not a whole row. */
export async function mapAtOnce<In, Out>(
  items: readonly In[],
  limit: number,
  map: (item: In) => Promise<Out>,
): Promise<readonly Out[]> {
  const results: Out[] = new Array(items.length);
  let next = 0;
  const take = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await map(items[at] as In);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, take));
  return results;
}

/** Rejects with what `late` makes when `work` takes longer; the work itself goes on. */
export async function withinTime<T>(
  work: Promise<T>,
  limitMs: number,
  late: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
