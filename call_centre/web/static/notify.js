// Sound and desktop notice of what needs somebody, if the agent switched them on. No citizen's words leave the page.
const WORDS = {
  opened: "Có hồ sơ mới đang chờ.",
  citizen_wrote: "Người dân vừa nhắn thêm.",
  window_closing: "Một kênh sắp hết hạn nhận trả lời.",
  transferred: "Có hồ sơ vừa được chuyển.",
};

const button = document.getElementById("notify");
let wanted = localStorage.getItem("notify") === "on";
let sound = null;

function show() {
  if (!button) return;
  button.hidden = false;
  button.setAttribute("aria-pressed", String(wanted));
  button.textContent = wanted ? "Tắt thông báo" : "Bật thông báo";
}

button?.addEventListener("click", async () => {
  wanted = !wanted;
  localStorage.setItem("notify", wanted ? "on" : "off");
  if (wanted && "Notification" in window && Notification.permission === "default") {
    await Notification.requestPermission();
  }
  if (wanted) beep();
  show();
});

function beep() {
  sound ??= new AudioContext();
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  volume.gain.setValueAtTime(0.08, sound.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + 0.4);
  tone.frequency.value = 660;
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.4);
}

export function tell(kind) {
  if (!wanted || !(kind in WORDS)) return;
  beep();
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    new Notification(WORDS[kind], { tag: kind });
  }
}

show();
