package config_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestDestinations(t *testing.T) {
	const (
		noURL   = "is not a URL; write https://host/path"
		machine = "leads to the function's own machine; use a host that the function can reach; this machine is for stage local"
		network = "is in a private network; add private: true, and connect the function to that network"
		number  = "has a number as its host; write a name, or four decimal numbers"
		nobody  = "is an address that is not public; use a public address"
	)
	for _, row := range []struct{ name, url, more, stage, want string }{
		{"a name", "https://erp.example.com/products?x=%C3%A9", "", "production", ""},
		{"a port", "https://erp.example.com:8443", "", "production", ""},
		{"a public address", "https://8.8.8.8/x", "", "production", ""},
		{"a name that only looks like a number", "https://1e100.net", "", "production", ""},
		{"a secret", "secret:slack", "", "production", ""},
		{"a template in the path", "https://erp.example.com/products/{{.Label}}", "", "production", ""},
		{"a template beside a percent sign", "https://erp.example.com/%41/{{.Label}}", "", "production", ""},

		{"no scheme", "erp.example.com/x", "", "production", noURL},
		{"no host", "https:///x", "", "production", noURL},
		{"a port that is none", "https://erp.example.com:http/x", "", "production", noURL},
		{"another scheme", "sftp://erp.example.com/x", "", "production", `has the scheme "sftp"; use https`},
		{"http", "http://erp.example.com/x", "", "production", "is not encrypted; use https; http is for this machine alone"},
		{"a password", "https://julia:hunter2@erp.example.com/x", "", "production", "holds credentials; remove what stands before the @"},
		{"a password, locally", "https://julia:hunter2@erp.example.com/x", "", config.Local, "holds credentials; remove what stands before the @"},
		{"a template for a host", "https://{{.Params.host}}/x", "", "production", "has a template as its host; write the host out, or as ${NAME} of environments"},
		{"a template for a part of the host", "https://{{.Params.shop}}.example.com/x", "", "production", "has a template as its host; write the host out, or as ${NAME} of environments"},
		{"a template after a password", "https://julia:hunter2@erp.example.com/{{.Label}}", "", "production", "holds credentials; remove what stands before the @"},
		{"a placeholder of links", "https://erp.example.com/%sku%", "", "production", "has the placeholder %sku%; remove it: the PIM fills in placeholders of links alone"},

		{"this machine by name", "https://localhost/x", "", "production", machine},
		{"this machine by a name below", "https://erp.localhost./x", "", "production", machine},
		{"this machine over http", "http://localhost:9000/x", "", "production", machine},
		{"this machine by IPv4", "https://127.0.0.1/x", ", private: true", "production", machine},
		{"this machine by IPv6", "https://[::1]/x", "", "production", machine},
		{"this machine by a mapped address", "https://[::ffff:127.0.0.1]/x", "", "production", machine},
		{"a private network", "https://10.0.0.5/x", "", "production", network},
		{"a private network of IPv6", "https://[fd12::1]/x", "", "production", network},
		{"a private network by a mapped address", "https://[::ffff:192.168.0.1]/x", "", "production", network},
		{"a private network that is not meant", "https://10.0.0.5/x", ", private: false", "production", network},
		{"a private network that is meant", "https://10.0.0.5/x", ", private: true", "production", ""},
		{"the metadata service", "https://169.254.169.254/x", ", private: true", "production", nobody},
		{"link-local with a zone", "https://[fe80::1%25eth0]/x", "", "production", nobody},
		{"no address", "https://0.0.0.0/x", "", "production", nobody},
		{"a group", "https://224.0.0.1/x", "", "production", nobody},
		{"everybody", "https://255.255.255.255/x", "", "production", nobody},
		{"the metadata service of IPv6", "https://[fd00:ec2::254]/x", ", private: true", "production", nobody},
		{"documentation", "https://192.0.2.1/x", "", "production", nobody},
		{"an address inside another", "https://[64:ff9b::a00:1]/x", "", "production", nobody},
		{"decimal", "https://2130706433/x", "", "production", number},
		{"hexadecimal", "https://0x7f.1/x", "", "production", number},
		{"octal", "https://0177.0.0.1/x", "", "production", number},
		{"two parts", "https://10.1/x", "", "production", number},

		{"this machine, locally", "http://127.0.0.1:9000/x", "", config.Local, ""},
		{"a private network, locally", "http://10.0.0.5/x", "", config.Local, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := config.Load(config.Source{File: "f.yaml", Stage: row.stage, Text: []byte(`actions: {x: {kind: k, url: "` + row.url + `"` + row.more + "}}")})
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), `f.yaml:1: url of action "x" `)
			}
			if got != row.want {
				t.Errorf("got\n\t%s\nwant\n\t%s", got, row.want)
			}
		})
	}
}
