package main

import (
	"io"
	"net"
	"net/url"
)

// forward brings connections on a host's address to the emulator, which listens on the loopback interface alone. It
// returns the address at which it does, until the program ends.
func forward(host, endpoint string) (string, error) {
	emulator, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go connect(from, emulator.Host)
		}
	}()
	return "http://" + listener.Addr().String(), nil
}

// connect copies in both directions until both sides have closed.
func connect(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return // the caller's connection closes
	}
	defer to.Close()
	done := make(chan bool)
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			io.Copy(pair[0], pair[1]) // an error: one side has gone, and the other sees it
			if half, ok := pair[0].(*net.TCPConn); ok {
				half.CloseWrite()
			}
			done <- true
		}()
	}
	<-done
	<-done
}
