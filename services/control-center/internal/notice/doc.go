// Package notice tells people and programs what waits for them, so that nobody has to watch a page: a bulk change is held, or
// was; more seats are used than were purchased; a directory is not followed as it should be; its credential ends soon. It follows LICENSES, where all
// of this is told, and sends it on as webhooks, signed as Standard Webhooks 1.0.0 says, and by e-mail.
//
// Each destination has a position of its own on the stream, which the server keeps: what could not be delivered is tried
// again, across restarts, and holds up no other destination. A destination that is new begins with what is new. Several
// processes share the work: each notice reaches one of them.
package notice
