module github.com/rollcall-hq/rollcall/schemas

go 1.26

ignore ./test/node_modules
