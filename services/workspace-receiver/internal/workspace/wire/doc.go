// Package wire reads the JSON that Google sends: pages and single objects of the Directory API, activities of the Reports
// API, pushes, channels and errors. It is kept apart from the SDK, whose structs refuse a whole page for one odd value,
// and a number wherever Google documents a number in a string: here what is no JSON fails the body, and anything else that
// is odd costs only the object that it is in.
//
// Sources: the discovery documents of the Directory API (directory_v1) and of the Reports API (reports_v1), and Google's
// pages on push notifications and on the appendices of activity events.
package wire
