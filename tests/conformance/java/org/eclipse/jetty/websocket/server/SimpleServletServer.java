package org.eclipse.jetty.websocket.server;

import java.net.URI;

/**
 * Stands where the cases start a server of their own: the one under test runs already, at the address
 * that the property lethe.address has.
 */
public class SimpleServletServer
{
    public SimpleServletServer(Object ignored)
    {
    }

    public void start()
    {
    }

    public void stop()
    {
    }

    public URI getServerUri()
    {
        return URI.create(System.getProperty("lethe.address"));
    }
}
