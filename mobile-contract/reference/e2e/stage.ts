/** Everybody else of the play (doctor, desk, SMS): asked by a line on standard output, answered on standard input. */

import { createInterface, type Interface } from "node:readline";

export class Stage {
  private readonly lines: AsyncIterator<string>;
  private readonly input: Interface;

  constructor() {
    this.input = createInterface({ input: process.stdin });
    this.lines = this.input[Symbol.asyncIterator]();
  }

  /** What the others did and saw. */
  async ask<T>(what: string, facts: object = {}): Promise<T> {
    process.stdout.write(`${JSON.stringify({ what, ...facts })}\n`);
    const line = await this.lines.next();
    if (line.done) throw new Error("the stage is dark");
    return JSON.parse(line.value) as T;
  }

  end(): void {
    this.input.close();
  }
}
