import { NoAnswer, Refusal } from "../problems.js";

const TRIES_MAX = 20;

/** A person whose screen said "try again" tries again. */
export async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await act();
    } catch (failure) {
      const isPassing =
        failure instanceof NoAnswer ||
        (failure instanceof Refusal && (failure.problem.status >= 500 || failure.problem.status === 429));
      if (!isPassing || tried === TRIES_MAX) throw failure;
    }
  }
}
