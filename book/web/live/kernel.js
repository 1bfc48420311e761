/** The kernel of a page: started when first asked, ended with the page. */

import { KernelConnection } from "@jupyterlab/services/lib/kernel/default";
import { getKernelModel, interruptKernel, shutdownKernel, startNew } from "@jupyterlab/services/lib/kernel/restapi";
import { ServerConnection } from "@jupyterlab/services/lib/serverconnection";

/** The kernel is not there any more; the message says what became of it. */
export class Gone extends Error {}

const DIED = "The kernel died, and a new one started: what the cells had computed is gone. Run them again.";
const ENDED = "The kernel has ended. Run a cell to start another.";
const ANEW = "The server knows this kernel no more: what the cells had computed is gone. Run them again.";
const STRANGER = "The server was started anew: open the address that it shows, for this page has an older one.";
const LOST = "There is no connection to the server any more. Is it still running?";

const PULSE = 1000; // ms between two looks whether a server that was lost is there again

/**
 * @param options of the server: `baseUrl`, and a `token` where no cookie says who one is
 * @param folder the folder that the kernel starts in
 * @param say called with "starting", "connecting", "connected" again, "busy", "idle", or "gone" and why
 */
export function kernelAt(options, folder, say) {
  const settings = ServerConnection.makeSettings({ ...options, appendToken: Boolean(options.token) });
  let starting = null; // of the connection, once somebody asked for it
  let lose = () => {};
  let gone = null;

  /** Tell the page, and whoever waits for an answer, that the kernel is no more. */
  function end(reason, connection) {
    if (connection) {
      starting = null;
      if (!connection.isDisposed) connection.dispose();
    }
    lose(new Gone(reason));
    say("gone", reason);
    watch();
  }

  function watch() {
    gone = new Promise((_, reject) => (lose = reject));
    gone.catch(() => {});
  }

  async function start() {
    say("starting");
    const model = await startNew({ name: "python3", path: folder }, settings);
    const connection = new KernelConnection({ model, serverSettings: settings });
    let steady = false; // connected, and not about to be connected anew by intent
    connection.statusChanged.connect((_, status) => {
      if (status === "autorestarting") end(DIED);
      else if (status === "dead") end(ENDED, connection);
      else if (status === "busy" || status === "idle") say(status);
      if (status.endsWith("restarting")) steady = false;
    });
    connection.connectionStatusChanged.connect((_, status) => {
      if (status === "disconnected" && !connection.isDisposed) end(LOST, connection);
      else if (status === "connecting" && steady) {
        say("connecting");
        lookFor(connection);
      } else if (status === "connected") {
        if (steady) say("connected");
        steady = true;
      }
    });
    watch();
    return connection;
  }

  /** Ask a server that is there again for the kernel: another run of it knows none of the old ones. */
  async function lookFor(connection) {
    while (!connection.isDisposed && connection.connectionStatus === "connecting") {
      const reason = await getKernelModel(connection.id, settings).then(
        (model) => (model ? "" : ANEW),
        (error) => (error.response?.status === 403 ? STRANGER : ""), // any other: not there yet
      );
      if (reason && starting && !connection.isDisposed) return end(reason, connection);
      await new Promise((look) => setTimeout(look, PULSE));
    }
  }

  function connect() {
    starting ??= start().catch((error) => {
      starting = null;
      throw error;
    });
    return starting;
  }

  return {
    /** Run code; `take` gets what it sends. Resolves to whether it ended without an error. */
    async run(code, take) {
      const connection = await connect();
      const content = { code, allow_stdin: false, stop_on_error: false };
      const future = connection.requestExecute(content);
      future.onIOPub = ({ header, content }) => take(header.msg_type, content);
      const done = future.done.catch(() => new Promise(() => {})); // `gone` says why
      const reply = await Promise.race([done, gone]);
      return reply.content.status === "ok";
    },
    async interrupt() {
      if (starting) await interruptKernel((await starting).id, settings);
    },
    async restart() {
      if (!starting) return;
      const connection = await starting;
      lose(new Gone("The kernel was started anew."));
      watch();
      await connection.restart();
    },
    /** End it while the page goes. */
    async end() {
      const connection = await starting;
      starting = null;
      if (!connection) return;
      const lasting = { ...settings, init: { ...settings.init, keepalive: true } };
      const done = shutdownKernel(connection.id, lasting);
      connection.dispose();
      await done.catch(() => {});
    },
  };
}
