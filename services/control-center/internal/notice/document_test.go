package notice_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/notice"
)

// The example of the document is a file that is taken.
func TestTheDocumentsExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../docs/control-center.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)<!-- notices -->\n```yaml\n(.*?)```").FindSubmatch(text)
	if example == nil {
		t.Fatal("the document has no example")
	}
	d, err := notice.Parse(example[1])
	if err != nil || len(d.Tenants["contoso"].Webhooks) != 1 || len(d.Tenants["contoso"].Email) != 1 {
		t.Errorf("the example is %+v, %v", d, err)
	}
}
