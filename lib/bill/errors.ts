/** An input that cannot be billed: where it stands, what is wrong, the way out. */
export class BillError extends Error {
  /**
   * @param where the input: a file, a resource and its property, a usage key
   * @param problem what is wrong with it
   * @param wayOut what to do
   */
  constructor(
    public readonly where: string,
    public readonly problem: string,
    public readonly wayOut: string,
  ) {
    super(`[${where}] ${problem} ${wayOut}`);
    this.name = 'BillError';
  }
}
