package entra

import (
	"slices"
	"strings"
)

// The bounds of a filter: nobody writes longer ones, and a parser must end.
const (
	maxFilter = 32 << 10 // bytes
	maxDepth  = 32       // of parentheses and nots
	maxTests  = 200
)

// parseFilter reads the part of OData's $filter that Graph offers for users and groups: and, or, not, parentheses,
// eq, ne, in, startswith, endswith, and any with a lambda. proper returns a property's proper name.
func parseFilter(source string, proper func(string) (string, bool)) (filter, error) {
	if len(source) > maxFilter {
		return nil, badRequest("The filter is too long.")
	}
	p := &parser{tokens: scan(source), proper: proper}
	f, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, p.invalid()
	}
	return f, nil
}

type parser struct {
	tokens []string // a string literal keeps its first quote
	at     int
	tests  int
	proper func(string) (string, bool)
}

func (p *parser) invalid() error {
	if p.at < len(p.tokens) {
		return badRequest("Invalid filter clause: syntax error at '%.40s'.", p.tokens[p.at])
	}
	return badRequest("Invalid filter clause: unexpected end.")
}

func (p *parser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *parser) take() string {
	t := p.peek()
	p.at++
	return t
}

func (p *parser) accept(word string) bool {
	if p.at < len(p.tokens) && strings.EqualFold(p.tokens[p.at], word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(words ...string) error {
	for _, w := range words {
		if !p.accept(w) {
			return p.invalid()
		}
	}
	return nil
}

func (p *parser) or(depth int) (filter, error) {
	left, err := p.and(depth)
	for err == nil && p.accept("or") {
		var right filter
		right, err = p.and(depth)
		left = either{left, right}
	}
	return left, err
}

func (p *parser) and(depth int) (filter, error) {
	left, err := p.unary(depth)
	for err == nil && p.accept("and") {
		var right filter
		right, err = p.unary(depth)
		left = both{left, right}
	}
	return left, err
}

func (p *parser) unary(depth int) (filter, error) {
	if depth > maxDepth {
		return nil, badRequest("The filter is nested too deeply.")
	}
	switch {
	case p.accept("not"):
		inner, err := p.unary(depth + 1)
		return negate{inner}, err
	case p.accept("("):
		inner, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	if p.tests++; p.tests > maxTests {
		return nil, badRequest("The filter has too many clauses.")
	}
	return p.test("", "")
}

// test reads one comparison. Inside a lambda, variable stands for the elements of the property within.
func (p *parser) test(variable, within string) (filter, error) {
	word := strings.ToLower(p.peek())
	if word == "startswith" || word == "endswith" {
		p.at++
		if err := p.expect("("); err != nil {
			return nil, err
		}
		prop, err := p.property(variable, within)
		if err != nil {
			return nil, err
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
		value, ok := p.literal()
		if _, isText := value.(string); !ok || !isText {
			return nil, p.invalid()
		}
		return test{prop: prop, op: word, values: []any{value}, some: variable != ""}, p.expect(")")
	}
	if name, ok := strings.CutSuffix(p.peek(), "/any"); ok && variable == "" {
		p.at++
		return p.lambda(name)
	}
	prop, err := p.property(variable, within)
	if err != nil {
		return nil, err
	}
	op := strings.ToLower(p.take())
	if op == "in" && variable == "" {
		return p.oneOf(prop)
	}
	value, ok := p.literal()
	if !ok || op != "eq" && op != "ne" {
		p.at--
		return nil, p.invalid()
	}
	return test{prop: prop, op: op, values: []any{value}, some: variable != ""}, nil
}

func (p *parser) property(variable, within string) (string, error) {
	name := p.take()
	if variable != "" {
		if name != variable {
			p.at--
			return "", p.invalid()
		}
		return within, nil
	}
	prop, ok := p.proper(name)
	if !ok {
		return "", badRequest("Invalid filter clause: Could not find a property named '%.60s'.", name)
	}
	return prop, nil
}

// lambda reads what follows proxyAddresses/any: (p:p eq 'smtp:…').
func (p *parser) lambda(name string) (filter, error) {
	prop, ok := p.proper(name)
	if !ok {
		return nil, badRequest("Invalid filter clause: Could not find a property named '%.60s'.", name)
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	variable := p.take()
	if variable == "" || !isWord(variable[0]) {
		return nil, p.invalid()
	}
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	inner, err := p.test(variable, prop)
	if err != nil {
		return nil, err
	}
	return inner, p.expect(")")
}

func (p *parser) oneOf(prop string) (filter, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var values []any
	for {
		value, ok := p.literal()
		if !ok {
			return nil, p.invalid()
		}
		values = append(values, value)
		if !p.accept(",") {
			break
		}
	}
	return test{prop: prop, op: "in", values: values}, p.expect(")")
}

func (p *parser) literal() (any, bool) {
	t := p.take()
	if strings.HasPrefix(t, "'") {
		return t[1:], true
	}
	switch strings.ToLower(t) {
	case "true":
		return true, true
	case "false":
		return false, true
	case "null":
		return nil, true
	}
	return nil, false
}

// scan splits a filter into words, string literals and punctuation. A literal that does not end is a token by itself,
// which no rule accepts.
func scan(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			i++
		case c == '\'':
			value, length, ok := quoted(s[i:])
			if !ok {
				return append(out, "\x00unterminated")
			}
			out = append(out, "'"+value)
			i += length
		case isWord(c):
			j := i
			for j < len(s) && isWord(s[j]) {
				j++
			}
			out = append(out, s[i:j])
			i = j
		default:
			out = append(out, s[i:i+1])
			i++
		}
	}
	return out
}

// quoted reads a literal at the start of s: its value, where a doubled quote is one quote, and its length in s.
func quoted(s string) (string, int, bool) {
	var value strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			value.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			value.WriteByte('\'')
			i++
			continue
		}
		return value.String(), i + 1, true
	}
	return "", 0, false
}

func isWord(c byte) bool {
	return c == '_' || c == '/' || c == '.' || c == '-' || c == '@' ||
		c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// onlyIDs returns the ids of a filter that does nothing but ask for some, as delta queries want it.
func onlyIDs(f filter) ([]string, bool) {
	switch f := f.(type) {
	case either:
		left, ok := onlyIDs(f.left)
		if !ok {
			return nil, false
		}
		right, ok := onlyIDs(f.right)
		return append(left, right...), ok
	case test:
		if f.prop != "id" || f.op != "eq" {
			return nil, false
		}
		id, ok := f.values[0].(string)
		return []string{id}, ok
	}
	return nil, false
}

// distinct sorts ids and drops repeats.
func distinct(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
