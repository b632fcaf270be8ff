/** Every page of an answer. */
export async function pages<T>(
  next: (token: string | undefined) => Promise<{ items?: T[]; token?: string }>,
): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  do {
    const page = await next(token);
    all.push(...(page.items ?? []));
    token = page.token;
  } while (token);
  return all;
}
