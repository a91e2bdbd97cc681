package bus

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

var (
	onLedgerIn      = regexp.MustCompile(`^(directory|command)\.[a-z0-9-]{1,40}\.[A-Za-z0-9_-]{1,128}$`)
	onNotifications = regexp.MustCompile(`^notification\.[a-z0-9-]{1,40}\.[A-Za-z0-9_-]{1,128}$`)
)

// Whatever is on DEAD_LETTERS, a replay goes only where intake, sync and commands publish, and only for the tenant under whom
// the letter is filed.
func FuzzLetter(f *testing.F) {
	const letter = `{"specversion":"1.0","id":"LEDGER_IN.1-7.worker-p01","source":"urn:rollcall:dead-letter:LEDGER_IN",` +
		`"type":"io.rollcall.dead-letter.written.v1","partitionkey":"contoso","causationid":"e1","datacontenttype":"application/json","data":`
	const inner = `{"specversion":"1.0","id":"e1","source":"urn:x","type":"t","partitionkey":"contoso"}`
	f.Add("dead.LEDGER_IN.contoso", []byte(letter+`{"stream":"LEDGER_IN","sequence":7,"subject":"directory.1.contoso.page","consumer":"worker-p01","deliveries":3,"reason":"r","event":`+inner+`}}`))
	f.Add("dead.NOTIFICATIONS.contoso", []byte(letter+`{"stream":"NOTIFICATIONS","sequence":7,"subject":"notification.1.entra.contoso","event":`+inner+`}}`))
	f.Add("dead.LEDGER_IN.initech", []byte(letter+`{"stream":"LEDGER_IN","subject":"directory.1.contoso.page","event":`+inner+`}}`))
	f.Add("dead.LICENSES.contoso", []byte(letter+`{"stream":"LICENSES","subject":"license.contoso.p.user.u","event":`+inner+`}}`))
	f.Add("dead.LEDGER_IN.contoso", []byte(letter+`{"stream":"LEDGER_IN","subject":"directory.1.contoso.>","body":"e30="}}`))
	f.Add("dead.LEDGER_IN.unknown", []byte(letter+`{"stream":"LEDGER_IN","subject":"command.contoso","sequence":-1}}`))
	f.Add("dead", []byte("no event"))
	f.Fuzz(func(t *testing.T, subject string, body []byte) {
		m := Message{Stream: DeadLetters, Subject: subject, StreamCreated: time.Unix(1, 0), Sequence: 3, Time: time.Unix(2, 0), Body: body}
		m.Event, m.Fault = decode(nil, body)
		l := letterOf(m)
		if l.Number != 3 {
			t.Errorf("number %d", l.Number)
		}
		copied := l.Body
		if len(l.Event) > 0 {
			copied = l.Event
		}
		msg, err := l.message(nil, copied)
		if err != nil {
			if !errors.Is(err, ErrNotReplayable) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if l.Fault != nil || !onLedgerIn.MatchString(msg.Subject) && !onNotifications.MatchString(msg.Subject) {
			t.Errorf("replayed to %q, though %v", msg.Subject, l.Fault)
		}
		ev, err := decode(msg.Header, msg.Data)
		if err != nil || event.Tenant(ev) != l.Tenant || subject != event.DeadLetterSubject(l.Stream, l.Tenant) {
			t.Errorf("a letter on %q is replayed as %v, %v", subject, ev, err)
		}
	})
}
