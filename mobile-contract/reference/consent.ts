/**
 * Letting a doctor in, and ending it.
 *
 * Tier A: the person scans the doctor's screen and signs. B: the person types the six digits of that screen and
 * signs. C: the phone has no network; it shows what is asked and eight digits to be read to the doctor.
 * Whatever is signed is what stood on the screen, nothing more; the service builds the same text anew.
 */

import { fromBase64url } from "./encoding.js";
import { type Environment, type Signer, signedAct } from "./device.js";
import type { components } from "./generated/service.js";
import { offlineAnswer } from "./offline-code.js";
import type { Phone } from "./ports.js";
import { Refusal } from "./problems.js";
import { type CodeProblem, type PinnedKeys, readCode } from "./qr.js";
import { taken, type Transport } from "./transport.js";

export type Request = components["schemas"]["AccessRequestView"];
export type Grant = components["schemas"]["GrantView"];
type Approval = components["schemas"]["AccessApproval"];

/** What the person allows: at most what was asked. */
export interface Choice {
  types: Request["types"];
  since: string | null;
  until: string | null;
  duration_seconds: number;
  labels: NonNullable<Approval["labels"]>;
}

/** Where the answer comes from: the code on the screen (A) or its digits (B). */
export interface Proof {
  tier: "A" | "B";
  secret: string;
}

/** Who answers for whom; without it a person answers for themselves. assent: a child from 7 agreed. */
export interface ForAnother {
  person: string;
  assent: boolean;
}

export class Consent {
  constructor(
    private readonly phone: Phone,
    private readonly transport: Transport,
    private readonly signer: Signer,
    private readonly pinned: PinnedKeys,
    private readonly environment: Environment,
  ) {}

  /** What a doctor's code asks for, read without a network. Refused before anything of it is shown. */
  async look(qr: string): Promise<{ ok: Record<string, unknown> } | { problem_code: CodeProblem }> {
    return await readCode("doctor-request", qr, this.pinned, this.phone.clock.now());
  }

  /** Tier C: the digits to read out, for the very request in the code; null when the code does not hold. */
  async digits(qr: string, hotpSecret: string): Promise<string | null> {
    const read = await this.look(qr);
    return "ok" in read ? (await offlineAnswer(fromBase64url(hotpSecret), read.ok)).digits : null;
  }

  async waiting(forAnother?: ForAnother): Promise<Request[]> {
    const header = whose(forAnother);
    return (await taken(this.transport.api.GET("/v1/me/access-requests", { params: { header } }))).items;
  }

  /** Tier A with a network: the request behind the code, and the proof that it was scanned. */
  async scan(qr: string, forAnother?: ForAnother): Promise<{ request: Request; proof: Proof }> {
    const asked = this.transport.repeating.POST("/v1/me/access-requests/scan", {
      params: { header: whose(forAnother) },
      body: { qr },
    });
    const { request, nonce } = await taken(asked);
    return { request, proof: { tier: "A", secret: nonce } };
  }

  /**
   * Signs and sends. Only one approval of a request counts, so it is repeated after a lost answer; that the repeat is
   * `request-decided` means that the first one arrived, and the grant is found in the list.
   */
  async approve(request: Request, proof: Proof, choice: Choice, forAnother?: ForAnother): Promise<Grant> {
    const body = await this.approval(request, proof, choice, forAnother);
    const params = { path: { request_id: request.request_id }, header: whose(forAnother) };
    try {
      return await taken(
        this.transport.repeating.POST("/v1/me/access-requests/{request_id}/approve", { params, body }),
      );
    } catch (failure) {
      const grant = isDecided(failure) ? await this.grantOf(request, choice, forAnother) : undefined;
      if (grant === undefined) throw failure;
      return grant;
    }
  }

  async refuse(request: Request, forAnother?: ForAnother): Promise<void> {
    const params = { path: { request_id: request.request_id }, header: whose(forAnother) };
    try {
      await taken(this.transport.repeating.POST("/v1/me/access-requests/{request_id}/refuse", { params }));
    } catch (failure) {
      if (!isDecided(failure)) throw failure;
    }
  }

  async grants(forAnother?: ForAnother): Promise<Grant[]> {
    const all: Grant[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: { limit: number; cursor?: string } = cursor === "" ? { limit: 100 } : { limit: 100, cursor };
      const header = whose(forAnother);
      const page = await taken(this.transport.api.GET("/v1/me/grants", { params: { query, header } }));
      all.push(...page.items);
      cursor = page.next ?? null;
    }
    return all;
  }

  /** The doctor's next request is refused. Needs no key: whoever holds an unlocked phone may end access. */
  async revoke(grantId: string, forAnother?: ForAnother): Promise<void> {
    const params = { path: { grant_id: grantId }, header: whose(forAnother) };
    await taken(this.transport.api.DELETE("/v1/me/grants/{grant_id}", { params }));
  }

  private async approval(
    request: Request,
    proof: Proof,
    choice: Choice,
    forAnother?: ForAnother,
  ): Promise<Approval> {
    if (request.environment !== this.environment) throw new Error("a request of another environment");
    const act = { request_id: request.request_id, ...(forAnother ? { book: forAnother.person } : {}) };
    const facts = {
      ...act,
      ...proof,
      ...choice,
      types: [...choice.types].sort(),
      doctor: request.doctor,
      licence: request.licence,
      facility: request.facility,
      purpose: request.purpose,
      ...(forAnother ? { assent: forAnother.assent } : {}),
    };
    const label_signatures = [];
    for (const label of proof.tier === "A" ? choice.labels : []) {
      label_signatures.push({ label, signed: await this.sign("consent-label", { ...act, label }) });
    }
    const signed = await this.sign("consent-approve", facts);
    return { ...proof, ...choice, label_signatures, assent: forAnother?.assent ?? false, signed };
  }

  private async sign(typ: string, facts: Parameters<typeof signedAct>[4]): ReturnType<typeof signedAct> {
    return await signedAct(this.phone, this.signer, this.environment, typ, facts);
  }

  private async grantOf(request: Request, choice: Choice, forAnother?: ForAnother): Promise<Grant | undefined> {
    // What somebody else allowed this doctor meanwhile is not what was signed here.
    const scope = ({ types, labels }: { types: readonly string[]; labels: readonly string[] }): string =>
      JSON.stringify([[...types].sort(), [...labels].sort()]);
    const isOfRequest = (grant: Grant): boolean =>
      scope(grant) === scope(choice) &&
      grant.licence === request.licence &&
      grant.facility === request.facility &&
      grant.purpose === request.purpose &&
      Date.parse(grant.created_at) >= Date.parse(request.created_at);
    return (await this.grants(forAnother)).find(isOfRequest);
  }
}

function isDecided(failure: unknown): boolean {
  return failure instanceof Refusal && failure.code === "request-decided";
}

function whose(forAnother: ForAnother | undefined): { "X-Patient-Id"?: string } {
  return forAnother ? { "X-Patient-Id": forAnother.person } : {};
}
