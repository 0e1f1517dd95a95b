// Above each long list a field that narrows it. Without this file everything works, only with longer lists.

function fits(text, words) {
  const folded = text.toLocaleLowerCase();
  return words.every((word) => folded.includes(word));
}

function narrow(select, text) {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  for (const option of select.options) {
    option.hidden = !option.selected && !fits(option.text, words);
  }
}

for (const select of document.querySelectorAll("select[data-narrow]")) {
  const field = document.createElement("input");
  field.type = "search";
  field.autocomplete = "off";
  field.placeholder = select.dataset.narrow;
  field.setAttribute("aria-label", `${select.dataset.narrow}: ${select.labels[0]?.textContent ?? ""}`);
  field.addEventListener("input", () => narrow(select, field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      select.focus();
    }
  });
  select.before(field);
}
