// Books a visit for a patient and says, when that cannot be, why not and what would work instead.
//
//   TELEMED_TOKEN=… PATIENT=… npm run book            (TELEMED_URL is http://localhost:3000 unless said otherwise)

import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["Problem"];
type Wish = components["schemas"]["SmartBookRequest"];

const { TELEMED_URL = "http://localhost:3000", TELEMED_TOKEN = "", PATIENT = "", SPECIALTY = "cardiology" } = process.env;

const telemed = createClient<paths>({
  baseUrl: TELEMED_URL,
  headers: { Authorization: `Bearer ${TELEMED_TOKEN}` },
});

/** What to do about a refusal; the compiler knows every reason there is. */
function advice(problem: Problem): string {
  switch (problem.reason) {
    case "SPECIALTY_NOT_AVAILABLE":
      return "Try another specialty.";
    case "NO_AVAILABILITY":
    case "SLOT_TAKEN":
    case "PATIENT_BUSY":
      return "Take one of the times above.";
    case "UNAUTHENTICATED":
      return "Ask for a new token: .venv/bin/telemed token --role patient --subject PATIENT";
    default:
      return "";
  }
}

async function book(wish: Wish): Promise<number> {
  const { data, error } = await telemed.POST("/appointments/smart-book", {
    body: wish,
    // Sent again with the same key, the call gets the same answer.
    params: { header: { "Idempotency-Key": randomUUID() } },
  });
  if (data) {
    console.log(`booked: ${data.appointment?.start_time} with doctor ${data.appointment?.doctor_id}`);
    data.match_reasons.forEach((reason) => console.log(`  because: ${reason}`));
    return 0;
  }
  console.log(`refused: ${error.reason}: ${error.detail}`);
  error.violations?.forEach(({ field, reason, description }) => console.log(`  ${field ?? reason}: ${description}`));
  error.alternatives?.forEach(({ start_time, doctor_last_name }) => console.log(`  or: ${start_time}, Dr ${doctor_last_name}`));
  console.log([advice(error), `(trace ${error.trace_id})`].filter(Boolean).join(" "));
  return 1;
}

process.exitCode = await book({
  patient_id: PATIENT,
  appointment_type: "GeneralConsultation",
  specialty_required: SPECIALTY,
  timezone: "America/New_York",
});
