package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestSilenceSaysWhereToLook(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newProgress(&out)
	p.silent("initech")
	if !strings.Contains(out.String(), "rollcall tenants verify initech") {
		t.Errorf("nothing is read: %q", out.String())
	}
	out.Reset()
	p.all = 1
	p.silent("initech")
	if out.Len() > 0 {
		t.Errorf("a page was read: %q", out.String())
	}
}
