// Signing in as one of the sample's people: what the desk and the reference have in common.
const KEY = "plaza: signed in";

/** {name, token} of whoever is signed in here. */
export const signedIn = () => JSON.parse(localStorage.getItem(KEY) ?? "null");

/** An element with these properties and children; texts are texts, whatever they hold. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The JSON that a path is answered with. */
export async function ask(path, options) {
  const answer = await fetch(path, options);
  return answer.json();
}

/** A row of buttons, one a person. `then` is told of {name, token}, or null, and whether that was chosen just now. */
export async function choose(row, then) {
  const { people, password } = await ask("/_local/desk");
  const said = make("span", { className: "quiet" });
  said.setAttribute("role", "status");
  const show = (someone, isNew, problem = "") => {
    for (const button of row.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.textContent === (someone?.name ?? "nobody")));
    }
    said.textContent = problem;
    then(someone, isNew);
  };
  const become = (someone) => {
    localStorage.setItem(KEY, JSON.stringify(someone));
    show(someone, true);
  };
  const button = (name, onclick) => make("button", { type: "button", textContent: name, onclick });
  const buttons = people.map(({ name, phone }) =>
    button(name, async () => {
      const body = JSON.stringify({ country: "86", phone, password });
      const answer = await ask("/user_login", { method: "POST", body });
      if (answer.token) become({ name, token: answer.token });
      else show(signedIn(), false, `${name}: ${answer.msg}`);
    }),
  );
  row.replaceChildren("Sign in as ", ...buttons, button("nobody", () => become(null)), said);
  show(signedIn(), false);
}
