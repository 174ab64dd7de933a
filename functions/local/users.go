package local

// User of the PIM that we play, as it names them since January 2026.
type User struct {
	UUID     string  `json:"uuid"`
	Username string  `json:"username"`
	Groups   []Group `json:"groups"`
}

// Group of users.
type Group struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// users of the PIM. The first is who presses where nobody else is named.
var users = []User{
	{"e05cc457-b8ac-43b1-baa7-c4c112091ad8", "julia", []Group{{7, "Manager"}, {11, "All"}}},
	{"4ebad9a4-7728-4d90-9db0-9e5a5c6a4d45", "peter", []Group{{9, "Redactor"}, {11, "All"}}},
}

func user(name string) User {
	for _, known := range users {
		if known.Username == name {
			return known
		}
	}
	return users[0]
}
