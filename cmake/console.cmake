# The console's page (console/), as C++ source. It is made in the build folder, with the packages
# that console/package-lock.json names.

option(LETHE_CONSOLE "Build the console into the program (needs npm)" ON)

# lethe_console_source(variable): the source file with ConsoleAssets().
function(lethe_console_source variable)
  set(folder ${CMAKE_BINARY_DIR}/console)
  set(source ${folder}/console_assets.cc)
  set(${variable} ${source} PARENT_SCOPE)
  file(MAKE_DIRECTORY ${folder})
  if(NOT LETHE_CONSOLE)
    # Not the name of the other one, which would be taken for made already.
    set(source ${folder}/no_console_assets.cc)
    set(${variable} ${source} PARENT_SCOPE)
    string(CONCAT nothing "#include \"server/internal/console_assets.h\"\n\n"
      "std::span<const lethe::server_internal::ConsoleAsset> lethe::server_internal::ConsoleAssets() "
      "{\n  return {};\n}\n")
    file(CONFIGURE OUTPUT ${source} CONTENT "${nothing}" @ONLY)
    return()
  endif()
  find_program(LETHE_NPM npm)
  find_program(LETHE_NODE node)
  if(NOT LETHE_NPM OR NOT LETHE_NODE)
    message(FATAL_ERROR
      "The console is built with node and npm: install them (make setup), or leave it out with -DLETHE_CONSOLE=OFF")
  endif()
  set(console ${CMAKE_SOURCE_DIR}/console)
  set(packages ${console}/package.json ${console}/package-lock.json)
  add_custom_command(
    OUTPUT ${folder}/packages.stamp
    COMMAND ${CMAKE_COMMAND} -E copy ${packages} ${folder}
    COMMAND sh -c "'${LETHE_NPM}' ci --ignore-scripts --silent --no-audit --no-fund --prefix '${folder}' || { echo 'The packages that build the console could not be fetched with npm; -DLETHE_CONSOLE=OFF leaves it out.' >&2; exit 1; }"
    COMMAND ${CMAKE_COMMAND} -E touch ${folder}/packages.stamp
    DEPENDS ${packages}
    COMMENT "Fetching what builds the console" VERBATIM)
  file(GLOB sources CONFIGURE_DEPENDS ${console}/src/*)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${LETHE_NODE} ${console}/build.mjs --modules ${folder}/node_modules --out ${source}
    DEPENDS ${folder}/packages.stamp ${console}/build.mjs ${console}/tsconfig.json ${sources}
    COMMENT "Building the console" VERBATIM)
endfunction()
