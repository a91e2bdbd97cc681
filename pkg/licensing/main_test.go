package licensing_test

import (
	"flag"
	"os"
	"testing"
)

// sequences is how many random sequences each property is tried on, unless -rapid.checks says otherwise.
const sequences = "10000"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", sequences); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
