/**
 * Works through items as they come, so many at once. The first failure ends it and is thrown, once
 * nothing is under way any more.
 */
export async function forEachAtOnce<T>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const under = new Set<Promise<void>>();
  let failure: { readonly cause: unknown } | null = null;
  const start = (item: T) => {
    const work: Promise<void> = action(item)
      .catch((cause: unknown) => {
        failure ??= { cause };
      })
      .finally(() => under.delete(work));
    under.add(work);
  };
  try {
    for await (const item of items) {
      while (under.size >= width) await Promise.race(under);
      if (failure !== null) break;
      start(item);
    }
  } finally {
    await Promise.all(under);
  }
  if (failure !== null) throw (failure as { readonly cause: unknown }).cause;
}
