// Package googlepush keeps the notification channels of Google's Admin SDK, those of the Reports API and of the Directory
// API alike, and pushes to them: with X-Goog headers, at least once, late, out of order, and now and then not at all.
//
// Sources: developers.google.com/workspace/admin/reports/v1/guides/push and .../admin/directory/v1/guides/push.
package googlepush
