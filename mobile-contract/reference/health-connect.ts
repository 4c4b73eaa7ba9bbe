/**
 * Handing the book to Android's Health Connect (medical records): which resources of `GET /v1/me/exports/bundle` it
 * takes, in the shape that it takes them, and what stays behind and why. Sources and rules: health-connect.md.
 */

export type Resource = { resourceType: string; id?: string } & Record<string, unknown>;

export interface Bundle {
  resourceType: string;
  entry?: { fullUrl?: string; resource: Resource }[];
}

/** Why a resource stays behind. */
export type Reason = "type-not-taken" | "observation-of-no-category" | "self-measured" | "sensitive" | "no-id";

export interface HandOver {
  /** For `UpsertMedicalResourceRequest(dataSourceId, FhirVersion(4, 0, 1), JSON.stringify(one))`, one by one. */
  resources: Resource[];
  leftOut: { resourceType: string; id: string | null; reason: Reason }[];
}

/** All that the platform stores; everything else it refuses. */
const TAKEN = new Set([
  ...["AllergyIntolerance", "Condition", "Encounter", "Immunization", "Location", "Medication"],
  ...["MedicationRequest", "MedicationStatement", "Observation", "Organization", "Patient"],
  ...["Practitioner", "PractitionerRole", "Procedure"],
]);
const OUTSIDE = "không có trong bản này";
// Members that name who, where or which product: their words tell nothing of an illness.
const WHO = new Set([
  ...["patient", "subject", "performer", "requester", "recorder", "asserter", "author", "actor", "individual"],
  ...["serviceProvider", "location", "manufacturer", "informationSource", "managingOrganization", "organization"],
  ...["practitioner"],
]);
const LOINC = "http://loinc.org";
const CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category";
/** An observation is stored where it has one of these categories, or one of these codes. */
const CATEGORIES = new Set(["social-history", "vital-signs", "laboratory"]);
const CODES = new Set([
  // pregnancy
  ...["82810-3", "11636-8", "11637-6", "11638-4", "11639-2", "11640-0", "11612-9", "11613-7", "11614-5"],
  ...["33065-4", "11778-8", "11779-6", "11780-4"],
  // social history
  ...["74013-4", "72166-2"],
  // vital signs
  ...["85353-1", "9279-1", "8867-4", "2708-6", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5", "85354-9"],
  ...["8480-6", "8462-4"],
]);
/** Confidentiality that marks nothing: every other mark leaves by a choice of its own alone, one of a later service too. */
const OPEN = new Set(["U", "L", "M", "N"]);

/**
 * allowed: codes of sensitivity that the person chose to hand over; none beforehand. Whichever app the person lets read
 * medical records reads them all: Health Connect knows no labels.
 */
export function handOver(bundle: Bundle, allowed: ReadonlySet<string> = new Set()): HandOver {
  const resources: Resource[] = [];
  const leftOut: HandOver["leftOut"] = [];
  const rows = (bundle.entry ?? []).map(({ fullUrl, resource }) => ({ fullUrl, resource }));
  const taken = new Set<Resource>();
  for (const { resource } of rows) {
    const reason = reasonAgainst(resource, allowed);
    if (reason === null) taken.add(resource);
    else leftOut.push({ resourceType: resource.resourceType, id: resource.id ?? null, reason });
  }
  const names = new Map(
    rows
      .filter(({ resource }) => taken.has(resource))
      .flatMap(({ fullUrl, resource }) => {
        const name = `${resource.resourceType}/${resource.id}`;
        return [[fullUrl ?? name, name] as const, [name, name] as const];
      }),
  );
  for (const resource of taken) resources.push(relinked(withoutContained(resource), names, "") as Resource);
  return { resources, leftOut };
}

function reasonAgainst(resource: Resource, allowed: ReadonlySet<string>): Reason | null {
  if (!TAKEN.has(resource.resourceType)) return "type-not-taken";
  if (typeof resource.id !== "string" || !/^[A-Za-z0-9.-]{1,64}$/.test(resource.id)) return "no-id";
  const marks = codes(member(resource["meta"])["security"]).map(({ code }) => code);
  if (marks.some((code) => !OPEN.has(code) && !allowed.has(code))) return "sensitive";
  if (resource.resourceType !== "Observation") return null;
  // The phone gave the watch's values to the service in the first place, and Health Connect has them as records.
  if (isSelfMeasured(resource)) return "self-measured";
  const categories = list(resource["category"]).flatMap((one) => codes(member(one)["coding"]));
  const isOfCategory = categories.some(({ system, code }) => system === CATEGORY && CATEGORIES.has(code));
  const isOfCode = codes(member(resource["code"])["coding"]).some(({ system, code }) => system === LOINC && CODES.has(code));
  return isOfCategory || isOfCode ? null : "observation-of-no-category";
}

/** Of the service's own profile for wearables (docs/vitals.md): a device measured, no practitioner. */
function isSelfMeasured(resource: Resource): boolean {
  const tags = codes(member(resource["meta"])["tag"]).map(({ code }) => code);
  return tags.includes("self-measured");
}

/**
 * References to what goes along become `Type/id`. Of what stays behind not even the words are left, for they can say what
 * the resource says (`Bệnh do HIV`); only who and where keep their name. `under`: the member that the value stands in.
 */
function relinked(value: unknown, names: ReadonlyMap<string, string>, under: string): unknown {
  if (Array.isArray(value)) return value.map((one) => relinked(one, names, under));
  if (typeof value !== "object" || value === null) return value;
  const members = value as Record<string, unknown>;
  const { reference, display } = members;
  if (typeof reference === "string" || ("identifier" in members && "display" in members && !("system" in members))) {
    const name = typeof reference === "string" ? names.get(reference) : undefined;
    if (name !== undefined) return { ...members, reference: name };
    // Something has to stand there: many references are needed by FHIR.
    return { display: WHO.has(under) ? (display ?? OUTSIDE) : OUTSIDE };
  }
  const kept = Object.entries(members).filter(([name]) => name !== "text" || !isNarrative(members[name]));
  return Object.fromEntries(kept.map(([name, inner]) => [name, relinked(inner, names, name)]));
}

/** A narrative repeats its resource and what that refers to. */
const isNarrative = (value: unknown): boolean => "div" in member(value);

/** The platform refuses whatever contains another resource: a medicine inside is told by its code, the rest stays behind. */
function withoutContained({ contained, ...resource }: Resource): Resource {
  const { medicationReference, ...others } = resource;
  const name = member(medicationReference)["reference"];
  const inside = list(contained).map(member).find((one) => typeof name === "string" && name === `#${one["id"]}`);
  const told = inside?.["code"] === undefined ? resource : { ...others, medicationCodeableConcept: inside["code"] };
  return told as Resource;
}

const member = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const codes = (value: unknown): { system: string; code: string }[] =>
  list(value).map((one) => ({ system: String(member(one)["system"] ?? ""), code: String(member(one)["code"] ?? "") }));
