// The chat page: sends what is typed, shows what comes, survives reloads and lost connections.
"use strict";

const log = document.getElementById("log");
const lines = document.getElementById("lines");
const examples = document.getElementById("examples");
const status = document.getElementById("status");
const form = document.getElementById("form");
const field = document.getElementById("text");

const AUTHORS = { bot: "Trợ lý tự động", agent: "Nhân viên", system: "Thông báo", citizen: "" };
const LONGEST_WAIT = 30000;
const SEND_TIMEOUT = 20000;
const time = new Intl.DateTimeFormat("vi-VN", {
  hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Ho_Chi_Minh",
});

let stream = null;
let retryAfter = 1000;
let sending = Promise.resolve();

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function showText(paragraph, text) {
  paragraph.replaceChildren();
  for (const part of text.split(/(https:\/\/[^\s<>"“”]*[^\s<>"“”.,;:!?)])/)) {
    if (part.startsWith("https://")) {
      const link = element("a", "", part);
      link.href = part;
      link.rel = "noopener noreferrer";
      link.target = "_blank";
      paragraph.append(link);
    } else {
      paragraph.append(part);
    }
  }
}

function scrollDown() {
  log.scrollTop = log.scrollHeight;
  lines.lastElementChild?.scrollIntoView({ block: "nearest" });
}

function bubble(author, text) {
  const box = element("div", `message ${author}`);
  if (AUTHORS[author]) box.append(element("p", "who", AUTHORS[author]));
  const paragraph = element("p", "text");
  showText(paragraph, text);
  box.append(paragraph, element("p", "when"));
  return box;
}

function forgetReplies() {
  for (const old of lines.querySelectorAll(".replies")) old.remove();
}

function settle(box, line) {
  box.dataset.id = line.id;
  box.classList.remove("failed");
  showText(box.querySelector(".text"), line.text);
  box.querySelector(".when").textContent = line.at ? time.format(new Date(line.at)) : "";
}

function showLine(line) {
  if (lines.querySelector(`[data-id="${line.id}"]`)) return;
  examples.hidden = true;
  const own = line.client_id && lines.querySelector(`[data-client-id="${line.client_id}"]`);
  if (own) {
    settle(own, line);
    return;
  }
  forgetReplies();
  const box = bubble(line.author, line.text);
  if (line.client_id) box.dataset.clientId = line.client_id;
  settle(box, line);
  lines.append(box);
  if (line.buttons?.length) {
    const list = element("ul", "replies");
    list.setAttribute("aria-label", "Gợi ý trả lời");
    for (const button of line.buttons) {
      const item = element("li");
      const choice = element("button", "reply", button.title);
      choice.type = "button";
      choice.addEventListener("click", () => send({ button: button.token }, button.title));
      item.append(choice);
      list.append(item);
    }
    lines.append(list);
  }
  scrollDown();
}

function showState(state) {
  if (state.thinking) status.textContent = "Trợ lý đang trả lời…";
  else if (state.owner === "agent") status.textContent = "Nhân viên đang phụ trách cuộc trò chuyện này.";
  else if (state.owner === "waiting") status.textContent = "Câu hỏi đã chuyển cho nhân viên.";
  else status.textContent = "";
}

function newClientId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function send(content, shown) {
  forgetReplies();
  examples.hidden = true;
  const box = bubble("citizen", shown);
  const clientId = newClientId();
  box.dataset.clientId = clientId;
  lines.append(box);
  scrollDown();
  queue(box, { ...content, client_id: clientId });
}

// One request after the other, so that two quick messages cannot overtake each other.
function queue(box, body) {
  box.querySelector(".when").textContent = "Đang gửi…";
  sending = sending.then(() => post(box, body));
}

async function post(box, body) {
  let message = "";
  try {
    const response = await fetch("/chat/messages", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(SEND_TIMEOUT),
    });
    const answer = await response.json();
    if (response.ok) {
      if (!box.dataset.id) settle(box, { ...answer, at: new Date().toISOString() });
      if (!stream) await load();
      return;
    }
    message = answer.message;
  } catch (error) {
    console.warn("not sent", error.name);
  }
  failed(box, body, message);
}

function failed(box, body, message) {
  box.classList.add("failed");
  const again = element("button", "again", "Gửi lại");
  again.type = "button";
  again.addEventListener("click", () => {
    box.classList.remove("failed");
    queue(box, body);
  });
  const note = box.querySelector(".when");
  note.textContent = `Chưa gửi được. ${message} `;
  note.append(again);
  scrollDown();
}

async function load() {
  try {
    const response = await fetch("/chat/history");
    const answer = await response.json();
    if (!response.ok) {
      status.textContent = answer.message;
      return;
    }
    log.setAttribute("aria-busy", "true");
    for (const line of answer.lines) showLine(line);
    log.removeAttribute("aria-busy");
    showState(answer);
    retryAfter = 1000;
    if (answer.cursor) follow(answer.cursor);
  } catch (error) {
    console.warn("no history", error.name);
    loadLater();
  }
}

function loadLater() {
  status.textContent = "Mất kết nối, đang thử lại…";
  setTimeout(load, retryAfter);
  retryAfter = Math.min(retryAfter * 2, LONGEST_WAIT);
}

function follow(cursor) {
  stream?.close();
  stream = new EventSource(`/chat/events?after=${cursor}`);
  stream.addEventListener("line", (event) => showLine(JSON.parse(event.data)));
  stream.addEventListener("state", (event) => showState(JSON.parse(event.data)));
  stream.addEventListener("reset", () => load());
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) return; // the browser reconnects by itself
    stream = null;
    loadLater();
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  field.focus();
  send({ text }, text);
});

field.addEventListener("keydown", (event) => {
  // While a Vietnamese input method composes, Enter ends the syllable.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});

for (const example of examples.querySelectorAll("button")) {
  example.addEventListener("click", () => send({ text: example.textContent }, example.textContent));
}

document.getElementById("new").addEventListener("click", async () => {
  if (!confirm("Bắt đầu cuộc trò chuyện mới? Máy này sẽ không còn hiện các tin nhắn cũ.")) return;
  await fetch("/chat/new", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  location.reload();
});

load();
