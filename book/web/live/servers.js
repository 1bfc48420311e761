/** Ways to a Jupyter server elsewhere: one that runs, one that a JupyterHub starts, one that Binder builds.
 *
 * Each is a function of an address, a token and `say`, which is told in words how far it is; it
 * resolves to the server's `baseUrl` and its `token`. */

const PATIENCE = 300; // times that a server which starts is asked for, once a second

/** Which of them an address is for: `…/hub/` a hub, `…/v2/…` Binder, any other a server. */
export function kindOf(address) {
  const { pathname } = new URL(address);
  if (pathname.includes("/v2/")) return "binder";
  return /\/hub\/?$/.test(pathname) ? "hub" : "server";
}

async function server(address, token) {
  return { baseUrl: address, token };
}

/** The server of whom the token belongs to, started if it does not run. */
async function hub(address, token, say) {
  const home = new URL(address.replace(/\/?$/, "/"));
  const ask = (path, method = "GET") =>
    fetch(new URL(`api/${path}`, home), { method, headers: { Authorization: `token ${token}` } });
  const read = async (path) => {
    const answer = await ask(path);
    if (!answer.ok) throw new Error(`the hub does not take this token (${answer.status})`);
    return answer.json();
  };
  const { name } = await read("user");
  const user = `users/${encodeURIComponent(name)}`;
  const mine = async () => (await read(user)).servers[""];
  let found = await mine();
  if (!found) {
    const started = await ask(`${user}/server`, "POST");
    if (!started.ok) throw new Error(`the hub starts no server (${started.status})`);
  }
  for (let times = 0; !found?.ready; times++) {
    if (times === PATIENCE) throw new Error("the server of this token does not start");
    say("The hub starts a server …");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    found = await mine();
  }
  return { baseUrl: new URL(found.url, home).href, token };
}

/** A server that Binder builds, if nobody asked for the same before, and starts. */
function binder(address, _, say) {
  const events = new EventSource(address.replace("/v2/", "/build/"));
  const made = new Promise((resolve, reject) => {
    events.onmessage = ({ data }) => {
      const { phase, message, url, token } = JSON.parse(data);
      if (phase === "ready") resolve({ baseUrl: url, token });
      else if (phase === "failed") reject(new Error(message));
      else say(`Binder: ${(message ?? phase).trim()}`);
    };
    events.onerror = () => reject(new Error("Binder does not answer"));
  });
  return made.finally(() => events.close());
}

export const WAYS = { server, hub, binder };
