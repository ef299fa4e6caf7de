/** What is wrong with a caller's request, and in which parameter; the caller is told as a 400. */
export class RequestProblem extends Error {
  readonly param: string | null;

  constructor(message: string, param: string | null = null) {
    super(message);
    this.param = param;
  }
}
