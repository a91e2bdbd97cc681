package ledger

// Ask reads one value, for tests of what the connection is set to.
func Ask(tx *Tx, query string) (answer string, err error) {
	_, err = tx.get(query, nil, &answer)
	return answer, err
}
