// Asks the Control Center what a client that was generated from openapi.yaml can ask, and prints what it has understood.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const [baseUrl, proof] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { "Test-Principal": proof } });

// must returns what was answered, or ends with the problem.
function must<T>(answer: { data?: T; error?: { code: string }; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${answer.error?.code}`);
  return answer.data;
}

const { items: tenants } = must(await client.GET("/api/v1/tenants"));

const users: string[] = [];
for (let cursor: string | undefined; ; ) {
  const page = must(
    await client.GET("/api/v1/tenants/{tenant}/users", {
      params: { path: { tenant: "contoso" }, query: { product: "secure-share", search: "is:active", limit: 3, cursor } },
    }),
  );
  users.push(...page.items.map((u) => u.id));
  if ((cursor = page.next_cursor) === undefined) break;
}

const ada = must(
  await client.GET("/api/v1/tenants/{tenant}/users/{user}", { params: { path: { tenant: "contoso", user: "ada@contoso.com" } } }),
);
const command = must(
  await client.PUT("/api/v1/tenants/{tenant}/products/{product}/seats", {
    params: { path: { tenant: "contoso", product: "drive" }, header: { "Idempotency-Key": "from-typescript" } },
    body: { purchased: null, enforce: false },
  }),
);
const decision = must(
  await client.POST("/access/v1/evaluation", {
    body: {
      subject: { type: "user", id: "bob@contoso.com" },
      action: { name: "share.receive" },
      resource: { type: "product", id: "secure-share", properties: { tenant: "contoso" } },
    },
  }),
);
const nowhere = await client.GET("/api/v1/tenants/{tenant}", { params: { path: { tenant: "nowhere" } } });

console.log(
  JSON.stringify({
    tenants: tenants.map((t) => t.id),
    users,
    why: ada.decisions.map((d) => d.why),
    command: `${command.id} ${command.state}`,
    decision: `${decision.decision} ${decision.context?.reason}`,
    problem: `${nowhere.response.status} ${nowhere.error?.code}`,
  }),
);
