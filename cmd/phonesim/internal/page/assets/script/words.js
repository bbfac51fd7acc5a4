// The words of the page, all handed in by the simulator. An element says which one it shows by its id: data-text as
// its text, data-name as its name for a screen reader.

let labels = {};
let listeners = [];

// word is the text with the id, its {places} filled in. An unknown id shows itself.
export function word(id, places = {}) {
  return (labels[id] ?? id).replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}

// onWords calls back now and whenever the language changes.
export function onWords(listener) {
  listeners.push(listener);
  if (known()) listener();
}

// known: the simulator has sent its words.
export function known() {
  return Object.keys(labels).length > 0;
}

export function setWords(language, table) {
  labels = table;
  document.documentElement.lang = language;
  document.title = word("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = word(element.dataset.text);
  for (const element of document.querySelectorAll("[data-name]")) {
    element.setAttribute("aria-label", word(element.dataset.name));
  }
  for (const listener of listeners) listener();
}
