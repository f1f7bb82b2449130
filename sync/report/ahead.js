const frames = [...document.querySelectorAll("iframe")];
const written = new Map(frames.map((frame) => [frame, frame.srcdoc]));
document.querySelectorAll("[data-set]").forEach((button) => button.addEventListener("click", () => {
  const [what, value] = button.dataset.set.split(" ");
  document.body.dataset[what] = value;
  document.querySelectorAll("[data-set^='" + what + " ']").forEach((one) => one.setAttribute("aria-pressed", one === button));
  if (what === "light") {
    const media = { day: "not all", night: "all" }[value];
    frames.forEach((frame) => { frame.srcdoc = written.get(frame).replaceAll("(prefers-color-scheme: dark)", media); });
  }
}));
document.querySelectorAll(".only-script").forEach((one) => { one.hidden = false; });
