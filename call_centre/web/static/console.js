// Keeps the page live: on each server-sent event the page is fetched again and its [data-live] parts replaced.
import { tell } from "./notify.js";
import "./compose.js";
import "./keys.js";

const body = document.body;
const baseTitle = document.title;

function unreadInTitle(source) {
  const waiting = source.querySelector("[data-count=waiting]")?.textContent.trim();
  const unread = Number(source.querySelector("[data-unread]")?.dataset.unread ?? 0);
  const shown = unread > 0 ? String(unread) : waiting;
  document.title = shown ? `(${shown}) ${baseTitle}` : baseTitle;
}

let refreshing = false;
let again = false;

async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const response = await fetch(body.dataset.address ?? location.href, { headers: { Accept: "text/html" } });
    if (response.redirected) {
      location.reload();
      return;
    }
    if (response.ok) {
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      unreadInTitle(fresh);
      replaceLiveParts(fresh);
    }
  } catch (error) {
    console.warn("refresh failed; the next event tries again", error);
  } finally {
    refreshing = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

// The newest message is what an agent looks for; who has scrolled back to read is left there.
const scroll = document.querySelector(".scroll");
const atEnd = () => scroll && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
const toEnd = () => {
  if (scroll && !scroll.contains(document.activeElement)) scroll.scrollTop = scroll.scrollHeight;
};

function replaceLiveParts(fresh) {
  const follows = atEnd();
  for (const part of document.querySelectorAll("[data-live]")) {
    const newer = fresh.getElementById(part.id);
    if (!newer || newer.innerHTML === part.innerHTML) continue;
    const before = new Set([...part.querySelectorAll(".line.citizen")].map((line) => line.id));
    const said = [...newer.querySelectorAll(".line.citizen")].filter((line) => !before.has(line.id));
    if (part.id === "lines" && said.length) announce(said.map((line) => line.innerText ?? line.textContent).join(" "));
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    if (focused?.matches("select, input, textarea")) continue;
    const address = focused?.getAttribute("href") ?? focused?.form?.getAttribute("action");
    const opened = focused?.closest("details[id]")?.id;
    keepWhatWasOpened(part, newer);
    part.replaceWith(newer);
    if (opened) {
      newer.querySelector(`#${CSS.escape(opened)} ${focused.matches("summary") ? "summary" : "button"}`)?.focus();
    } else if (address) {
      newer.querySelector(`[href="${CSS.escape(address)}"], form[action="${CSS.escape(address)}"] button`)?.focus();
    }
  }
  if (follows) toEnd();
}

// A box somebody opened stays open, with what was typed into it.
function keepWhatWasOpened(part, newer) {
  for (const box of part.querySelectorAll("details[open][id]")) {
    const same = newer.querySelector(`#${CSS.escape(box.id)}`);
    if (!same) continue;
    same.open = true;
    for (const field of box.querySelectorAll("input[id]")) {
      const again = same.querySelector(`#${CSS.escape(field.id)}`);
      if (again) again.value = field.value;
    }
  }
}

function announce(text) {
  document.getElementById("announce").textContent = text;
}

function follow() {
  const stream = new EventSource(body.dataset.stream);
  let dropped = false;
  stream.addEventListener("change", (event) => {
    tell(JSON.parse(event.data).kind);
    refresh();
  });
  stream.addEventListener("ended", () => location.reload());
  stream.addEventListener("error", () => {
    dropped = true;
    // The browser does not retry a refused stream (logged out, server restarting): fetching the page says why.
    if (stream.readyState === EventSource.CLOSED) {
      refresh();
      setTimeout(follow, 10_000);
    }
  });
  stream.addEventListener("open", () => {
    if (dropped) refresh();
    dropped = false;
  });
}

unreadInTitle(document);
toEnd();
if (body.dataset.stream) follow();
