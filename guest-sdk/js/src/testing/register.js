// node --import ractor-guest/register: lets Node import TypeScript.

import { register } from "node:module";

register("./hooks.js", import.meta.url);
