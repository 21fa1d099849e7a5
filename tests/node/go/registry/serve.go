// serve: distribution over a directory of blobs, read only, plain HTTP; the stand-ins terminate TLS in front of it.
package main

import (
	"context"
	"net"
	"net/http"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// settings describes a registry over root. Several nodes share one root, so only publish may write.
func settings(root string, readonly bool) *configuration.Configuration {
	c := &configuration.Configuration{Version: configuration.MajorMinorVersion(0, 1)}
	c.Log.Level = "warn"
	c.Log.AccessLog.Disabled = true
	c.HTTP.Secret = "not a secret: uploads end with the process"
	c.Storage = configuration.Storage{
		"filesystem":  configuration.Parameters{"rootdirectory": root},
		"maintenance": configuration.Parameters{"readonly": map[any]any{"enabled": readonly}},
	}
	return c
}

func serve(ctx context.Context, root, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return http.Serve(listener, handlers.NewApp(ctx, settings(root, true)))
}
