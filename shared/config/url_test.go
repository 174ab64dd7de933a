package config_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestAddresses(t *testing.T) {
	for _, row := range []struct{ name, url, stage, want string }{
		{"origin", "https://acme.cloud.akeneo.com", "production", "https://acme.cloud.akeneo.com"},
		{"final slash", "https://acme.cloud.akeneo.com/", "production", "https://acme.cloud.akeneo.com"},
		{"capitals", "HTTPS://Acme.cloud.akeneo.com", "production", "https://acme.cloud.akeneo.com"},
		{"default port", "https://acme.cloud.akeneo.com:443", "production", "https://acme.cloud.akeneo.com"},
		{"port without digits", "https://acme.cloud.akeneo.com:", "production", "https://acme.cloud.akeneo.com"},
		{"another port", "https://acme.cloud.akeneo.com:8443", "production", "https://acme.cloud.akeneo.com:8443"},
		{"IPv6", "https://[2001:db8::1]:443/", "production", "https://[2001:db8::1]"},
		{"http on this machine, by name", "http://localhost:8081", "production", "http://localhost:8081"},
		{"http on this machine, by IPv4", "http://127.0.0.1:80", "production", "http://127.0.0.1"},
		{"http on this machine, by IPv6", "http://[::1]:8081", "production", "http://[::1]:8081"},
		{"http on the local stage", "http://pim.test:8081", config.Local, "http://pim.test:8081"},
	} {
		loaded, err := config.Load(config.Source{File: "f.yaml", Stage: row.stage, Text: []byte("pims: {main: {url: \"" + row.url + "\"}}")})
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		} else if got := loaded.PIMs["main"].URL; got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, url := range []string{
		"https://shop.example.com",
		"https://shop.example.com/%sku%/%name%?q=%ean%#%code%",
		"https://%country%.example.com/%sku%",
		"https://shop.example.com/a%20b/%sku%",
		"%shop_url%/sub",
		"%shop_url%",
		"http://localhost:3000/%sku%",
	} {
		loaded, err := load(change(t, "https://shop.example.com/%sku%", url))
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if got := loaded.Extensions["shop"].URL; got != url {
			t.Errorf("%s: became %s", url, got)
		}
	}
}
