// Which of the features of a page's HTML and CSS a mail program does not know. [name, page] pairs come in, as JSON;
// [name, feature, program] go out.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, ...clients] = process.argv.slice(2);
const { caniemail } = await import(pathToFileURL(`${modules}/caniemail/dist/index.js`));
const told = JSON.parse(fs.readFileSync(0, "utf8")).flatMap(([name, html]) =>
  [...caniemail({ clients, html }).issues.errors].flatMap(([client, all]) => all.map((one) => [name, one.title, client])));
console.log(JSON.stringify(told));
