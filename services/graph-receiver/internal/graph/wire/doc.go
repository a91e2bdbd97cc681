// Package wire reads the JSON that Microsoft Graph sends: change notifications, lifecycle notifications, delta pages and
// single objects. It is kept apart from the SDK, whose models refuse a whole page for one odd value: here a syntax error
// fails the body, and anything else that is odd costs only the item that it is in.
//
// Sources: the Graph pages on change notifications, lifecycle events, delta queries and the group and user resources.
package wire
