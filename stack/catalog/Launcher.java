import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.catalog.Catalog;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;

/**
 * Serves Iceberg's REST catalog servlet on one address, behind a bearer token.
 *
 * <p>Iceberg's own main class binds every interface and asks for no token; this one does neither.
 * The only argument is a properties file (it holds secrets, so nothing is passed on the command
 * line): {@code listen.host}, {@code listen.port}, {@code listen.token}, {@code catalog.name}; every
 * other key is handed to the catalog as it is.
 */
public final class Launcher {
  private static final String LISTEN_PREFIX = "listen.";

  private Launcher() {}

  public static void main(String[] args) throws Exception {
    if (args.length != 1) {
      System.err.println("usage: Launcher <catalog.properties>");
      System.exit(2);
    }
    Properties settings = new Properties();
    try (Reader reader = Files.newBufferedReader(Path.of(args[0]))) {
      settings.load(reader);
    }

    Server server =
        new Server(
            new InetSocketAddress(
                required(settings, "listen.host"),
                Integer.parseInt(required(settings, "listen.port"))));
    server.setHandler(handler(openCatalog(settings), required(settings, "listen.token")));
    server.setStopAtShutdown(true);
    server.setStopTimeout(2_000);
    server.start();
    server.join();
  }

  private static Catalog openCatalog(Properties settings) {
    Map<String, String> properties = new HashMap<>();
    for (String key : settings.stringPropertyNames()) {
      if (!key.startsWith(LISTEN_PREFIX)) {
        properties.put(key, settings.getProperty(key));
      }
    }
    String name = required(settings, "catalog.name");
    return CatalogUtil.buildIcebergCatalog(name, properties, new Configuration(false));
  }

  private static ServletContextHandler handler(Catalog catalog, String token) {
    ServletContextHandler context =
        new ServletContextHandler("/", ServletContextHandler.NO_SESSIONS);
    RESTCatalogServlet servlet = new RESTCatalogServlet(new RESTCatalogAdapter(catalog));
    context.addServlet(new ServletHolder(new HealthServlet()), "/health");
    context.addServlet(new ServletHolder(servlet), "/*");
    FilterHolder filter = new FilterHolder(new BearerFilter(token));
    context.addFilter(filter, "/v1/*", EnumSet.of(DispatcherType.REQUEST));
    return context;
  }

  private static String required(Properties settings, String key) {
    String value = settings.getProperty(key);
    if (value == null || value.isBlank()) {
      throw new IllegalArgumentException("missing setting: " + key);
    }
    return value;
  }

  /** Answers 200 without a token, so that a readiness probe needs no secret. */
  private static final class HealthServlet extends HttpServlet {
    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      response.setContentType("application/json");
      response.getWriter().write("{\"status\":\"ok\"}");
    }
  }

  /** Lets a request through only with the token; compares in constant time. */
  private static final class BearerFilter implements Filter {
    private static final String REFUSAL =
        "{\"error\":{\"message\":\"A bearer token is required, or the one given is not valid\","
            + "\"type\":\"NotAuthorizedException\",\"code\":401}}";

    private final byte[] expected;

    BearerFilter(String token) {
      this.expected = ("Bearer " + token).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
        throws IOException, ServletException {
      String given = ((HttpServletRequest) request).getHeader("Authorization");
      if (given != null
          && MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8))) {
        chain.doFilter(request, response);
        return;
      }
      HttpServletResponse refusal = (HttpServletResponse) response;
      refusal.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
      refusal.setContentType("application/json");
      refusal.setHeader("WWW-Authenticate", "Bearer");
      refusal.getWriter().write(REFUSAL);
    }
  }
}
