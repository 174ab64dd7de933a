package pim

import "github.com/pim-functions/pim-functions/shared/senders"

// Users of the PIM, as it names them since January 2026. The first presses where nobody else is named.
var Users = []senders.User{
	{UUID: "e05cc457-b8ac-43b1-baa7-c4c112091ad8", Username: "julia", Groups: []senders.Group{{ID: 7, Name: "Manager"}, {ID: 11, Name: "All"}}},
	{UUID: "4ebad9a4-7728-4d90-9db0-9e5a5c6a4d45", Username: "peter", Groups: []senders.Group{{ID: 9, Name: "Redactor"}, {ID: 11, Name: "All"}}},
}

// user finds a user by name, or the first.
func user(name string) senders.User {
	for _, known := range Users {
		if known.Username == name {
			return known
		}
	}
	return Users[0]
}
