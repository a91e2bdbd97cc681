// What the client needs of Node.js.
declare const process: { argv: string[] };
